// Says in a generated file why it isn't linted and formatted.
import { readFileSync, writeFileSync } from 'node:fs'

const [path] = process.argv.slice(2)
const marked = readFileSync(path, 'utf8').replace(
  '/* eslint-disable */\n/* prettier-ignore */',
  '// eslint.config.js and .prettierignore leave this file out: `npm run schema` writes it.',
)
writeFileSync(path, marked)
