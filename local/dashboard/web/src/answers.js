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

export class Answers {
  /**
   * @param {DashboardDocument} contents
   * @param {Parameter[]} parameters of the dashboard
   * @param {((url: string) => Promise<any>) | null} ask null in a file: nothing can be asked
   */
  constructor(contents, parameters, ask) {
    this.contents = contents;
    this.parameters = parameters;
    this.ask = ask;
    /** @type {Map<string, Promise<Table>>} */
    this.tables = new Map();
    this.embedded = new Map(contents.answers.map((answer) => [keyOf(answer.data_set, answer.parameters), answer]));
  }

  get isFile() {
    return this.ask === null;
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
    const columns = this.dataSet(name).columns;
    const embedded = this.embedded.get(key);
    if (embedded) return decodeAnswer(embedded, columns, this.contents.texts);
    if (!this.ask) throw new NotInFile(this.explainMissing(name, parameters));
    const query = new URLSearchParams({ data_set: name });
    for (const [parameter, value] of Object.entries(parameters)) query.set(`parameter.${parameter}`, value);
    const reply = await this.ask(`answers?${query}`);
    return decodeAnswer(reply.answers[0], columns, reply.texts);
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
    return mapped.every(({ dataSet, parameter }) =>
      this.contents.answers.some((answer) => answer.data_set === dataSet && answer.parameters[parameter] === value),
    );
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} wanted
   */
  explainMissing(name, wanted) {
    const inFile = this.contents.answers.filter((answer) => answer.data_set === name);
    const strange = Object.entries(wanted).find(
      ([parameter, value]) => !inFile.some((answer) => answer.parameters[parameter] === value),
    );
    const choice = Object.entries(wanted).map(([parameter, value]) => `${parameter} “${value}”`);
    if (!strange) return `This file does not hold the answer for ${choice.join(", ")} together.`;
    const [parameter, value] = strange;
    const held = [...new Set(inFile.map((answer) => answer.parameters[parameter]))].map((one) => `“${one}”`);
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
export async function askServer(url) {
  let response;
  try {
    response = await fetch(url, { headers: { Accept: "application/json" } });
  } catch (error) {
    throw new AnswerFailed("The server cannot be reached. Is `make demo` or `make local` still running?", {
      cause: error,
    });
  }
  const reply = await response.json();
  if (!response.ok) throw new AnswerFailed(reply.error ?? `The server answered ${response.status}.`);
  return reply;
}
