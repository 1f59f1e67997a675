// For `node --require`: when the program ends, writes to the file MODULES which files it has loaded, in that order. Without
// Medusa's configuration, which reads what Medusa prepares before it.
const { writeFileSync } = require("node:fs");
const { relative } = require("node:path");

process.on("exit", () => {
  const files = Object.keys(require.cache).map((path) => relative(process.cwd(), path));
  writeFileSync(process.env.MODULES, JSON.stringify(files.filter((file) => /^(node_modules|src)\/.*\.js$/.test(file))));
});
