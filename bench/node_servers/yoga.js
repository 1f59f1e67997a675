// graphql-yoga as it is installed, with its caches of parsed and validated documents. PORT, DATABASE_URL.
import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";
import { authenticate, resolvers, typeDefs } from "./resolvers.js";

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: async ({ request }) => ({ actor: await authenticate(request.headers.get("authorization")) }),
  graphiql: false,
  landingPage: false,
  logging: "error",
});
createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");
