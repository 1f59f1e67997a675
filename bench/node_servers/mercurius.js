// mercurius with its compiled queries: a document is compiled when it is used for the second time. PORT, DATABASE_URL.
import fastify from "fastify";
import mercurius from "mercurius";
import { authenticate, resolvers, typeDefs } from "./resolvers.js";

const app = fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  context: async (request) => ({ actor: await authenticate(request.headers.authorization) }),
});
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
