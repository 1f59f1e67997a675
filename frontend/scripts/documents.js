// Writes the dashboard's GraphQL operations, each with its fragments, to <folder>/documents/dashboard.json: text by sha256.
// The API trusts them, so the dashboard works where only trusted documents are allowed.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kind, parse, print, visit } from 'graphql'

const [source = 'src', folder = 'dist'] = process.argv.slice(2)
const fragments = new Map()
const operations = []

for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.tsx?$/.test(entry.name) || /\.test\.tsx?$/.test(entry.name)) continue
  const text = readFileSync(join(entry.parentPath, entry.name), 'utf8')
  for (const [, document] of text.matchAll(/\bgraphql\(\s*`([^`]*)`/g)) {
    for (const definition of parse(document).definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
      else operations.push(definition)
    }
  }
}

/** The definition, and the fragments that it spreads, each once. */
function withFragments(definition, found = new Set()) {
  found.add(definition)
  visit(definition, {
    FragmentSpread(node) {
      const fragment = fragments.get(node.name.value)
      if (!fragment) throw new Error(`There is no fragment ${node.name.value}.`)
      if (!found.has(fragment)) withFragments(fragment, found)
    },
  })
  return found
}

const documents = {}
for (const operation of operations) {
  const text = [...withFragments(operation)].map(print).join('\n\n')
  documents[createHash('sha256').update(text).digest('hex')] = text
}
mkdirSync(join(folder, 'documents'), { recursive: true })
writeFileSync(join(folder, 'documents', 'dashboard.json'), JSON.stringify(documents, null, 2))
