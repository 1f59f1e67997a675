import { readFileSync } from 'node:fs'
import { buildSchema, isInterfaceType } from 'graphql'
import { expect, test } from 'vitest'
import possibleTypes from './possible-types.json'

test('the types of each interface are those of the schema: npm run schema', () => {
  const schema = buildSchema(readFileSync('../schema.graphql', 'utf8'))
  const interfaces = Object.values(schema.getTypeMap()).filter(isInterfaceType)
  expect(possibleTypes).toEqual(
    Object.fromEntries(interfaces.map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)])),
  )
})
