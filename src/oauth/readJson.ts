/** The JSON in a response's body; undefined when the body is no JSON. Never throws. */
export async function readJson(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    // Some servers begin with a byte order mark.
    const document: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return document;
  } catch {
    return undefined;
  }
}
