<?php
/**
 * Buys something, as a shopper would: through the store's Service, by HTTP, from the shop page to the paid order. Then
 * looks at the order as the owner would, cancels and removes it. A line of JSON a step; the last one is the receipt.
 *
 * Can be killed anywhere and run again: it begins by removing what another proof left. It may be started before there
 * is a shop, and waits for it to open.
 */

declare(strict_types=1);

namespace Storefleet;

foreach (['program', 'settings', 'database', 'wordpress', 'woocommerce', 'shopper', 'proof', 'traces'] as $noun) {
    require __DIR__ . "/lib/{$noun}.php";
}

const PATIENCE = 600;
/** Seconds for the shop to open: what its installation may take. Below the Job's deadline. */

$program = new Program();

$program->step('check');
$shopper = new Shopper(required('STORE_SERVICE'), required('STORE_URL'), required('STORE_PROOF_TOKEN'));
require_plugin();

$program->step('wait');
$shopper->wait(PATIENCE);
$program->begin();

$program->step('boot');
$database = Database::wait(30);
$database->lock('proof', 60);
if ($database->option(MARKER) !== 'ready') {
    throw new Problem('The shop is not set up yet: its installation has to end first.');
}
prepare_boot('prove');
require WORDPRESS . '/wp-load.php';
remove_traces();

try {
    $program->step('shop');
    visit_shop($shopper);

    $program->step('product');
    $product = make_product();
    $found = find_product($shopper);

    $program->step('cart');
    fill_cart($shopper, $found);

    $program->step('checkout');
    $number = check_out($shopper);

    $program->step('order');
    $order = check_order($number, $product);

    $program->step('cancel');
    cancel($order, $product);
} finally {
    remove_traces($shopper->session());
}

$program->step('clean');
if ($traces = traces()) {
    throw new Problem('The proof could not clean up after itself: there is still ' . implode(' and ', $traces) . '.');
}
finish_wordpress();
$program->finish('bought', receipt: true);
