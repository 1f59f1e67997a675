<?php
/**
 * The proof: buys a product by HTTP through the store's Service, from the shop page to the paid order. Then it
 * verifies, cancels and deletes the order. Prints a line of JSON for each step; the last line is the receipt.
 *
 * It can be killed at any point and run again: it starts with deleting the data of earlier proofs. It can be started
 * before the installation is finished, and waits until the shop is ready.
 */

declare(strict_types=1);

namespace Storefleet;

foreach (
    ['program', 'environment', 'database', 'wordpress', 'woocommerce', 'shopper', 'proof', 'proof-cleanup'] as $name
) {
    require __DIR__ . "/lib/{$name}.php";
}

const TIMEOUT_SECONDS = 600;
/** For the installation to finish. Less than the Job's activeDeadlineSeconds. */

$program = new Program();

$program->step('check');
$shopper = new Shopper(required_env('STORE_SERVICE'), required_env('STORE_URL'), required_env('STORE_PROOF_TOKEN'));
require_woocommerce();

$program->step('wait');
$shopper->waitUntilReady(TIMEOUT_SECONDS);
$program->resetTimer();

$program->step('boot');
$database = Database::wait(30);
$database->lock('proof', 60);
if ($database->option(SETUP_OPTION) !== 'ready') {
    throw new UserError('The shop is not set up yet: its installation has to end first.');
}
prepare_wordpress_load('prove');
require WORDPRESS . '/wp-load.php';
delete_proof_data();

try {
    $program->step('shop');
    visit_shop($shopper);

    $program->step('cache');
    if (!compare_stored_page($shopper)) {
        $program->renameStep('not cached');
    }

    $program->step('product');
    $product = create_proof_product();
    $productId = find_product($shopper);

    $program->step('cart');
    add_to_cart($shopper, $productId);

    $program->step('checkout');
    $orderId = check_out($shopper);

    $program->step('order');
    $order = verify_order($orderId, $product);

    $program->step('cancel');
    cancel_order($order, $product);
} finally {
    delete_proof_data($shopper->sessionKey());
}

$program->step('clean');
if ($remaining = remaining_proof_data()) {
    throw new UserError('The proof could not delete its data: there is still ' . implode(' and ', $remaining) . '.');
}
run_shutdown_hooks();
$program->finish('bought', receipt: true);
