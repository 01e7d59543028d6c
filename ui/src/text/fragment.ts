// A text in the fragment of an address: a browser sends it to nobody, and no log has it.

const NAME = 'q=';

/** The fragment that holds a text, packed. */
export async function packed(text: string): Promise<string> {
  const bytes = new Uint8Array(await through(new TextEncoder().encode(text), new CompressionStream('deflate-raw')));
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return `#${NAME}${btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** The text of a fragment; null where it holds none. */
export async function unpacked(fragment: string): Promise<string | null> {
  if (!fragment.startsWith(`#${NAME}`)) return null;
  try {
    const letters = atob(
      fragment
        .slice(1 + NAME.length)
        .replaceAll('-', '+')
        .replaceAll('_', '/'),
    );
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    return new TextDecoder().decode(await through(bytes, new DecompressionStream('deflate-raw')));
  } catch {
    return null; // somebody cut the address
  }
}

const through = (
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<ArrayBuffer> => new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();
