/**
 * The document that the page is made from; local/dashboard/document.py describes it.
 *
 * @typedef {{columns: import("../engine/table.js").Column[], parameters: {name: string, default: string}[],
 *   mode: "spice" | "direct", title: string}} DataSet
 * @typedef {{version: number, title: string, definition: any, theme: any,
 *   dashboards: {title: string, path: string}[], data_sets: Record<string, DataSet>,
 *   reviews: {data_set: string, tasks: string[]} | null,
 *   left_out: {data_set: string, combinations: number}[], provenance: Record<string, string>,
 *   parts: Record<string, Record<string, string>[]>} & import("../engine/table.js").Part} DashboardDocument
 *   `parts` says which answers are kept apart: data set -> their parameters
 */
export const VERSION = 1;

/**
 * @param {string} base64 gzip of JSON
 * @returns {Promise<any>} a document or a part
 */
export async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
  const unzipped = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return checked(JSON.parse(await new Response(unzipped).text()));
}

/**
 * @param {any} json
 * @returns {any}
 */
export function checked(json) {
  if (json.version !== VERSION) {
    throw new Error(`The page reads documents of version ${VERSION}, this one has version ${json.version}.`);
  }
  return json;
}
