// What the environment says to the end-to-end tests: the only place of them that reads it.

/** Whether generated pages are written instead of compared (`SIDESTREAM_WRITE_DOCS` is set). */
export function writesDocuments(): boolean {
  return (process.env['SIDESTREAM_WRITE_DOCS'] ?? '') !== '';
}
