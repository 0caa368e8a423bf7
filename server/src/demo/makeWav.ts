const samplesPerSecond = 8_000

/** Tones of a quarter of a second each, mono, 8 bits a sample. Source of the format: Microsoft RIFF, WAVE_FORMAT_PCM. */
export function makeWav(tonesInHertz: readonly number[]): Buffer {
  const samplesPerTone = samplesPerSecond / 4
  const samples = Buffer.alloc(samplesPerTone * tonesInHertz.length)
  for (let at = 0; at < samples.length; at += 1) {
    const hertz = tonesInHertz[Math.floor(at / samplesPerTone)] ?? 0
    const fade = 1 - (at % samplesPerTone) / samplesPerTone
    samples[at] = 128 + Math.round(90 * fade * Math.sin((2 * Math.PI * hertz * at) / samplesPerSecond))
  }
  return Buffer.concat([header(samples.length), samples])
}

function header(byteSize: number): Buffer {
  const bytes = Buffer.alloc(44)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(36 + byteSize, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(samplesPerSecond, 24)
  bytes.writeUInt32LE(samplesPerSecond, 28)
  bytes.writeUInt16LE(1, 32)
  bytes.writeUInt16LE(8, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(byteSize, 40)
  return bytes
}
