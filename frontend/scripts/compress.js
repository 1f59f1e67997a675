// Writes a .br and a .gz beside each text file of a built folder, for servers that don't compress by themselves.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const [folder = 'dist'] = process.argv.slice(2)
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }

for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|css|html|svg|json|webmanifest)$/.test(entry.name)) continue
  const path = join(entry.parentPath, entry.name)
  const content = readFileSync(path)
  for (const [suffix, packed] of [
    ['.br', brotliCompressSync(content, brotli)],
    ['.gz', gzipSync(content, { level: 9 })],
  ]) {
    if (packed.length < content.length) writeFileSync(path + suffix, packed)
  }
}
