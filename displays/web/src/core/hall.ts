/** Which hall this page belongs to: the server writes it into `<html data-hall>` when it serves the page. */

/** The hall's id. The page may come unfilled from the development server; then `?hall=` or "demo" says it. */
export function hallId(): string {
  const written = document.documentElement.dataset.hall
  if (written !== undefined && written !== '' && !written.startsWith('slot:')) return written
  return new URLSearchParams(location.search).get('hall') ?? 'demo'
}
