<?php
/** WooCommerce's setup wizard leaves the shop open. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

use WP_REST_Request;

add_filter('rest_pre_dispatch', __NAMESPACE__ . '\keep_shop_open', 10, 3);

/** Each exit of the wizard asks for "coming soon". Owners who want that set it below Site visibility. */
function keep_shop_open(mixed $response, object $server, WP_REST_Request $request): mixed
{
    return $request->get_route() === '/wc-admin/launch-your-store/initialize-coming-soon' ? true : $response;
}
