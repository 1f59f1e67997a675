<?php
/** Cash on delivery of the platform's own: the proof pays by it, whatever the owner did to theirs. */

declare(strict_types=1);

namespace Storefleet\Site;

use WC_Payment_Gateway;

final class Gateway extends WC_Payment_Gateway
{
    public $id = 'storefleet_proof';
    public $enabled = 'yes';
    public $title = 'Storefleet';
    public $method_title = 'Storefleet';

    public function is_available(): bool
    {
        return true;
    }

    /** As WooCommerce's own does it. */
    public function process_payment($order_id): array
    {
        $order = wc_get_order($order_id);
        $order->update_status('processing', 'Bought by the platform, to prove that the shop sells.');
        WC()->cart->empty_cart();
        return ['result' => 'success', 'redirect' => $this->get_return_url($order)];
    }
}
