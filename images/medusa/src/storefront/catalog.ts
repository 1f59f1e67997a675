/** The products that the shop sells. */
import type { MedusaContainer } from "@medusajs/framework/types";
import { ContainerRegistrationKeys, QueryContext, getVariantAvailability } from "@medusajs/framework/utils";
import type { Shop } from "./shop";

export const PAGE_SIZE = 24;
const LISTED = "p.status = 'published' AND p.deleted_at IS NULL AND s.deleted_at IS NULL AND s.sales_channel_id = ?";

export interface Variant {
  id: string;
  title: string;
  /** In units of the currency; null: the owner set no price. */
  price: number | null;
  /** Before a sale; null outside of one. */
  originalPrice: number | null;
  inStock: boolean;
}

export interface Product {
  id: string;
  title: string;
  handle: string;
  description: string | null;
  thumbnail: string | null;
  images: string[];
  variants: Variant[];
}

/** The newest first; one more than a page if there are more pages. Without stock. */
export async function listProducts(container: MedusaContainer, shop: Shop, page: number): Promise<Product[]> {
  const knex = container.resolve(ContainerRegistrationKeys.PG_CONNECTION);
  const { rows } = await knex.raw(
    `SELECT p.id FROM product p JOIN product_sales_channel s ON s.product_id = p.id
     WHERE ${LISTED} ORDER BY p.created_at DESC, p.id LIMIT ? OFFSET ?`,
    [shop.salesChannel, PAGE_SIZE + 1, (page - 1) * PAGE_SIZE],
  );
  const ids = (rows as { id: string }[]).map(({ id }) => id);
  const found = await load(container, shop, ids);
  return ids.flatMap((id) => found.find((product) => product.id === id) ?? []);
}

/** With the variants' stock. */
export async function findProduct(container: MedusaContainer, shop: Shop, handle: string): Promise<Product | undefined> {
  const knex = container.resolve(ContainerRegistrationKeys.PG_CONNECTION);
  const { rows } = await knex.raw(
    `SELECT p.id FROM product p JOIN product_sales_channel s ON s.product_id = p.id WHERE ${LISTED} AND p.handle = ?`,
    [shop.salesChannel, handle],
  );
  const [product] = await load(container, shop, (rows as { id: string }[]).map(({ id }) => id));
  if (product === undefined || product.variants.length === 0) return product;
  const availability = await getVariantAvailability(container.resolve(ContainerRegistrationKeys.QUERY), {
    variant_ids: product.variants.map(({ id }) => id),
    sales_channel_id: shop.salesChannel,
  });
  for (const variant of product.variants) {
    const available = availability[variant.id]?.availability;
    variant.inStock ||= available === null || available === undefined || available > 0;
  }
  return product;
}

/** `inStock` of the variants: only whether they sell without stock. */
async function load(container: MedusaContainer, shop: Shop, ids: string[]): Promise<Product[]> {
  if (ids.length === 0) return [];
  const { data } = await container.resolve(ContainerRegistrationKeys.QUERY).graph({
    entity: "product",
    fields: [
      "id", "title", "handle", "description", "thumbnail", "images.url", "variants.id", "variants.title",
      "variants.variant_rank", "variants.manage_inventory", "variants.allow_backorder", "variants.calculated_price.*",
    ],
    filters: { id: ids },
    context: {
      variants: { calculated_price: QueryContext({ region_id: shop.region, currency_code: shop.currency }) },
    },
  });
  return data.map((product) => ({
    id: product.id,
    title: product.title,
    handle: product.handle,
    description: product.description ?? null,
    thumbnail: product.thumbnail ?? null,
    images: (product.images ?? []).map(({ url }: { url: string }) => url),
    variants: [...(product.variants ?? [])]
      .sort((one, other) => (one.variant_rank ?? 0) - (other.variant_rank ?? 0))
      .map((variant) => {
        // the type of a queried variant doesn't have the price
        const price = (variant as { calculated_price?: { calculated_amount: unknown; original_amount: unknown } })
          .calculated_price;
        const amount = toAmount(price?.calculated_amount);
        const original = toAmount(price?.original_amount);
        return {
          id: variant.id,
          title: variant.title,
          price: amount,
          originalPrice: original !== null && amount !== null && original > amount ? original : null,
          inStock: !variant.manage_inventory || variant.allow_backorder,
        };
      }),
  }));
}

function toAmount(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
