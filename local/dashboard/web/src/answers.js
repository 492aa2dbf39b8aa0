/**
 * Where rows come from: the document, and for data sets that are asked anew for every choice, the server.
 *
 * @typedef {import("./reading/document.js").DashboardDocument} DashboardDocument
 * @typedef {import("./reading/definition.js").Parameter} Parameter
 * @typedef {import("./engine/table.js").Table} Table
 */
import { decodeAnswer } from "./engine/table.js";
import { Gap } from "./gap.js";

/** The answer for the reader's choice is not in the file. */
export class NotInFile extends Gap {}
/** The server could not answer; the same question may be asked again. */
export class AnswerFailed extends Error {}

/**
 * What a page can have rows from, besides its document: a file its own parts, a served page its server.
 *
 * @typedef {{ask: ((url: string) => Promise<any>) | null,
 *   readPart: (dataSet: string) => Promise<import("./engine/table.js").Part>}} Source
 */

export class Answers {
  /**
   * @param {DashboardDocument} contents
   * @param {Parameter[]} parameters of the dashboard
   * @param {Source} source
   */
  constructor(contents, parameters, source) {
    this.contents = contents;
    this.parameters = parameters;
    this.source = source;
    /** @type {Map<string, Promise<Table>>} */
    this.tables = new Map();
    /** @type {Map<string, Promise<import("./engine/table.js").Part>>} */
    this.parts = new Map();
  }

  get isFile() {
    return this.source.ask === null;
  }

  /** @param {string} name */
  dataSet(name) {
    const found = this.contents.data_sets[name];
    if (!found) throw new Gap(`there is no data set ${name}`);
    return found;
  }

  /**
   * The values of a data set's own parameters: what the dashboard's parameters that are mapped to them say.
   *
   * @param {string} name
   * @param {Record<string, string>} chosen values of the dashboard's parameters
   * @returns {Record<string, string>}
   */
  parametersFor(name, chosen) {
    const dataSet = this.dataSet(name);
    return Object.fromEntries(
      dataSet.parameters.map((own) => {
        const source = this.parameters.find((parameter) =>
          parameter.mapped.some((mapping) => mapping.dataSet === name && mapping.parameter === own.name),
        );
        return [own.name, source ? chosen[source.name] : own.default];
      }),
    );
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} chosen
   * @returns {Promise<Table>}
   */
  table(name, chosen) {
    const parameters = this.parametersFor(name, chosen);
    const key = keyOf(name, parameters);
    const known = this.tables.get(key);
    if (known) return known;
    const table = this.fetchTable(name, parameters, key);
    this.tables.set(key, table);
    // What failed is asked again the next time.
    table.catch(() => this.tables.delete(key));
    return table;
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} parameters
   * @param {string} key
   */
  async fetchTable(name, parameters, key) {
    const part = await this.partWith(name, parameters, key);
    const answer = part.answers.find((one) => keyOf(one.data_set, one.parameters) === key);
    if (!answer) throw new AnswerFailed(`The answer of data set ${name} has other parameters than were asked for.`);
    return decodeAnswer(answer, this.dataSet(name).columns, part);
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} parameters
   * @param {string} key
   * @returns {Promise<import("./engine/table.js").Part>}
   */
  async partWith(name, parameters, key) {
    if (this.contents.answers.some((answer) => keyOf(answer.data_set, answer.parameters) === key)) return this.contents;
    if (this.held(name).some((held) => keyOf(name, held) === key)) return this.part(name);
    if (!this.source.ask) throw new NotInFile(this.explainMissing(name, parameters));
    const query = new URLSearchParams({ data_set: name });
    for (const [parameter, value] of Object.entries(parameters)) query.set(`parameter.${parameter}`, value);
    return this.source.ask(`answers?${query}`);
  }

  /** @param {string} name */
  part(name) {
    const part = this.parts.get(name) ?? this.source.readPart(name);
    this.parts.set(name, part);
    return part;
  }

  /**
   * Parameters of the answers of a data set that are kept apart.
   *
   * @param {string} name
   * @returns {Record<string, string>[]}
   */
  held(name) {
    return this.contents.parts[name] ?? [];
  }

  /**
   * Whether the file has at least one answer with this value of a dashboard's parameter, in every data set that takes it.
   *
   * @param {string} parameterName
   * @param {string} value
   */
  holds(parameterName, value) {
    if (!this.isFile) return true;
    const mapped = this.parameters.find((one) => one.name === parameterName)?.mapped ?? [];
    return mapped.every(({ dataSet, parameter }) => this.held(dataSet).some((held) => held[parameter] === value));
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} wanted
   */
  explainMissing(name, wanted) {
    const inFile = this.held(name);
    const strange = Object.entries(wanted).find(
      ([parameter, value]) => !inFile.some((held) => held[parameter] === value),
    );
    const choice = Object.entries(wanted).map(([parameter, value]) => `${parameter} “${value}”`);
    if (!strange) return `This file does not hold the answer for ${choice.join(", ")} together.`;
    const [parameter, value] = strange;
    const held = [...new Set(inFile.map((held) => held[parameter]))].map((one) => `“${one}”`);
    return `This file does not hold ${parameter} “${value}”. It holds ${parameter}: ${held.join(", ") || "none"}.`;
  }
}

/**
 * @param {string} name
 * @param {Record<string, string>} parameters
 */
function keyOf(name, parameters) {
  return JSON.stringify([name, ...Object.entries(parameters).sort(([one], [other]) => (one < other ? -1 : 1))]);
}

/**
 * @param {string} url
 * @returns {Promise<any>}
 * @throws {AnswerFailed}
 */
export function askServer(url) {
  return talkToServer(url, { headers: { Accept: "application/json" } });
}

/**
 * Have the server change something.
 *
 * @param {string} url
 * @param {unknown} content
 * @returns {Promise<any>}
 * @throws {AnswerFailed}
 */
export function tellServer(url, content) {
  // The header is one that pages of other sites cannot send: the server takes nothing without it.
  const headers = { "Content-Type": "application/json", "X-Report-Tuning": "review" };
  return talkToServer(url, { method: "POST", headers, body: JSON.stringify(content) });
}

/**
 * @param {string} url
 * @param {RequestInit} request
 * @returns {Promise<any>}
 */
async function talkToServer(url, request) {
  let response;
  try {
    response = await fetch(url, request);
  } catch (error) {
    throw new AnswerFailed("The server cannot be reached. Is `make demo` or `make local` still running?", {
      cause: error,
    });
  }
  const reply = await response.json();
  if (!response.ok) throw new AnswerFailed(reply.error ?? `The server answered ${response.status}.`);
  return reply;
}
