/** Writes a line into the log for each order: the worker's log where there is a worker, which shows that it works. */
import type { SubscriberArgs, SubscriberConfig } from "@medusajs/framework";
import { ContainerRegistrationKeys } from "@medusajs/framework/utils";
import { PROOF } from "../programs/proof-data";

export default async function logOrder({ event, container }: SubscriberArgs<{ id: string }>): Promise<void> {
  const { id } = event.data;
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const { data: [order] } = await query.graph({ entity: "order", fields: ["email"], filters: { id } });
  // nobody has bought what a proof has ordered, and perhaps already deleted
  if (order === undefined || order.email === PROOF.email) return;
  container.resolve(ContainerRegistrationKeys.LOGGER).info(`Order ${id} was placed.`);
}

export const config: SubscriberConfig = { event: "order.placed" };
