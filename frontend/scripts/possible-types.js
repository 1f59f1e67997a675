// Writes the types of each interface, which the cache needs to match fragments: npm run schema
import { readFileSync, writeFileSync } from 'node:fs'
import { buildSchema, isInterfaceType } from 'graphql'

const schema = buildSchema(readFileSync('../schema.graphql', 'utf8'))
const interfaces = Object.values(schema.getTypeMap()).filter(isInterfaceType)
const found = Object.fromEntries(
  interfaces.map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
)
writeFileSync('src/shared/graphql/possible-types.json', `${JSON.stringify(found, null, 2)}\n`)
