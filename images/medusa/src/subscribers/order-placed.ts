/** Writes a line into the log for each order: the worker's log where there is a worker, which shows that it works. */
import type { SubscriberArgs, SubscriberConfig } from "@medusajs/framework";
import { ContainerRegistrationKeys } from "@medusajs/framework/utils";

export default async function logOrder({ event, container }: SubscriberArgs<{ id: string }>): Promise<void> {
  container.resolve(ContainerRegistrationKeys.LOGGER).info(`Order ${event.data.id} was placed.`);
}

export const config: SubscriberConfig = { event: "order.placed" };
