/**
 * What the page sends: safetensors, an 8-byte length, a JSON header, then numbers.
 * https://github.com/huggingface/safetensors
 *
 * @typedef {{data: Float32Array, shape: number[]}} Tensor
 */

/** A payload that cannot be what the page meant to send. Its message is for people. */
export class DamagedPayload extends Error {}

/**
 * The tensors of a safetensors file, and its metadata.
 * @param {Uint8Array} bytes
 * @returns {{tensors: Map<string, Tensor>, metadata: Record<string, string>}}
 * @throws {DamagedPayload} it is truncated or contradicts itself.
 */
export function parseSafetensors(bytes) {
  if (!(bytes instanceof Uint8Array) || bytes.length < 8) {
    throw new DamagedPayload(`Expected at least 8 bytes, received ${bytes?.length ?? 'none'}.`);
  }
  const copy = bytes.slice(); // aligned, whatever it was cut out of
  const length = Number(new DataView(copy.buffer).getBigUint64(0, true));
  if (length > copy.length - 8) {
    throw new DamagedPayload(`Its header has ${length} bytes, only ${copy.length - 8} arrived.`);
  }
  const { __metadata__: metadata = {}, ...entries } = parseJson(copy.subarray(8, 8 + length));
  const tensors = new Map();
  for (const [name, entry] of Object.entries(entries)) {
    tensors.set(name, tensorOf(name, entry, copy.subarray(8 + length)));
  }
  return { tensors, metadata };
}

function parseJson(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new DamagedPayload(`Its header cannot be read: ${error.message}.`);
  }
}

/** @returns {Tensor} */
function tensorOf(name, { dtype, shape, data_offsets: [start, end] = [] }, body) {
  const count = shape?.reduce((product, size) => product * size, 1);
  if (dtype !== 'F32' || end - start !== 4 * count) {
    throw new DamagedPayload(`${name} is not ${count} numbers of 32 bits.`);
  }
  if (start < 0 || end > body.length) {
    throw new DamagedPayload(`${name} ends at byte ${end}, only ${body.length} arrived.`);
  }
  const from = body.byteOffset + start;
  const aligned = from % 4 ? body.slice(start, end).buffer : body.buffer;
  return { data: new Float32Array(aligned, from % 4 ? 0 : from, count), shape };
}
