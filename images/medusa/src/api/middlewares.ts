import { defineMiddlewares } from "@medusajs/framework/http";
import { refuseOldTokens } from "../auth/old-tokens";
import { throttleSignIn } from "../auth/sign-in-throttle";

export default defineMiddlewares({
  routes: [
    { matcher: "/admin", middlewares: [refuseOldTokens] },
    { matcher: "/auth", middlewares: [throttleSignIn, refuseOldTokens] },
  ],
});
