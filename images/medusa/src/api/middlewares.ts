import { defineMiddlewares } from "@medusajs/framework/http";
import { dropOldTokens, refuseOldToken } from "../auth/old-tokens";
import { throttleSignIn } from "../auth/sign-in-throttle";

export default defineMiddlewares({
  routes: [
    { matcher: "/admin", middlewares: [refuseOldToken] },
    { matcher: "/auth", middlewares: [throttleSignIn, dropOldTokens] },
  ],
});
