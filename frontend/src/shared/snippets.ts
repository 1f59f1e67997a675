export const LANGUAGES = ['curl', 'Python', 'JavaScript'] as const
export type SnippetLanguage = (typeof LANGUAGES)[number]

interface Request {
  url: string
  query: string
  variables: object
}

/** A string for a POSIX shell. */
const shell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** JSON is Python, but for three words outside of strings. */
const python = (value: unknown) =>
  JSON.stringify(value, null, 4).replace(
    /"(?:[^"\\]|\\.)*"|\b(true|false|null)\b/g,
    (whole, word: string | undefined) =>
      (word ? { true: 'True', false: 'False', null: 'None' }[word] : undefined) ?? whole,
  )

const WRITERS: Record<SnippetLanguage, (request: Request) => string> = {
  curl: ({ url, query, variables }) =>
    [
      `curl -s ${shell(url)} \\`,
      `  -H "Authorization: Bearer $STOREFLEET_TOKEN" \\`,
      `  -H 'Content-Type: application/json' \\`,
      `  -d ${shell(JSON.stringify({ query, variables }))}`,
    ].join('\n'),
  Python: ({ url, query, variables }) =>
    [
      'import json, os, urllib.request',
      '',
      `query = """${query.replaceAll('\\', '\\\\').replaceAll('"""', '\\"\\"\\"')}"""`,
      `variables = ${python(variables)}`,
      'request = urllib.request.Request(',
      `    ${JSON.stringify(url)},`,
      '    json.dumps({"query": query, "variables": variables}).encode(),',
      '    {"Authorization": f"Bearer {os.environ[\'STOREFLEET_TOKEN\']}", "Content-Type": "application/json"},',
      ')',
      'print(json.load(urllib.request.urlopen(request)))',
    ].join('\n'),
  JavaScript: ({ url, query, variables }) =>
    [
      `const query = ${JSON.stringify(query)}`,
      `const variables = ${JSON.stringify(variables, null, 2)}`,
      `const response = await fetch(${JSON.stringify(url)}, {`,
      `  method: 'POST',`,
      '  headers: { Authorization: `Bearer ${process.env.STOREFLEET_TOKEN}`, "Content-Type": "application/json" },',
      '  body: JSON.stringify({ query, variables }),',
      '})',
      'console.log(await response.json())',
    ].join('\n'),
}

/** The same GraphQL request as a program; it reads the API token from STOREFLEET_TOKEN. */
export const snippet = (language: SnippetLanguage, request: Request) => WRITERS[language](request)
