<?php
/**
 * Title: Home page of a new shop
 * Slug: storefleet/home
 * Categories: featured
 * Post Types: page
 */

declare(strict_types=1);

use function Storefleet\MuPlugin\has_texts;
use function Storefleet\MuPlugin\page_path;

$shop = page_path('shop');
$steps = [
    [__('Choose', 'storefleet'), __('Put what you like into the cart. You need no account.', 'storefleet')],
    [__('Order', 'storefleet'), __('Enter your address, and choose how you pay.', 'storefleet')],
    [__('Receive', 'storefleet'), __('We pack your order with care, and send it to you.', 'storefleet')],
];

?>
<!-- wp:columns {"align":"full","className":"shop-hero","style":{"spacing":{"margin":{"top":"0"},"padding":{"top":"0","right":"0","bottom":"0","left":"0"},"blockGap":{"left":"0","top":"0"}}},"backgroundColor":"accent-2"} -->
<div class="wp-block-columns alignfull shop-hero has-accent-2-background-color has-background" style="margin-top:0;padding-top:0;padding-right:0;padding-bottom:0;padding-left:0">
	<!-- wp:column {"verticalAlignment":"center","className":"shop-hero-text","style":{"spacing":{"padding":{"top":"var:preset|spacing|60","bottom":"var:preset|spacing|60"}}}} -->
	<div class="wp-block-column is-vertically-aligned-center shop-hero-text" style="padding-top:var(--wp--preset--spacing--60);padding-bottom:var(--wp--preset--spacing--60)">
		<!-- wp:heading {"level":1,"style":{"typography":{"fontSize":"clamp(2.5rem, 5.2vw, 4.5rem)","lineHeight":"1.05"}}} -->
		<h1 class="wp-block-heading" style="font-size:clamp(2.5rem, 5.2vw, 4.5rem);line-height:1.05"><?php echo esc_html(get_option('blogname')); ?></h1>
		<!-- /wp:heading -->
<?php if (has_texts()) { ?>

		<!-- wp:paragraph {"fontSize":"large"} -->
		<p class="has-large-font-size"><?php esc_html_e('Chosen with care, and sent to your door.', 'storefleet'); ?></p>
		<!-- /wp:paragraph -->
<?php } ?>

		<!-- wp:buttons {"style":{"spacing":{"margin":{"top":"32px"}}}} -->
		<div class="wp-block-buttons" style="margin-top:32px">
			<!-- wp:button -->
			<div class="wp-block-button"><a class="wp-block-button__link wp-element-button" href="<?php echo esc_url($shop); ?>"><?php echo esc_html(has_texts() ? __('See all products', 'storefleet') : get_the_title(wc_get_page_id('shop'))); ?></a></div>
			<!-- /wp:button -->
		</div>
		<!-- /wp:buttons -->
	</div>
	<!-- /wp:column -->

	<!-- wp:column {"verticalAlignment":"bottom"} -->
	<div class="wp-block-column is-vertically-aligned-bottom">
		<!-- wp:image {"sizeSlug":"full","linkDestination":"none"} -->
		<figure class="wp-block-image size-full"><img src="/wp-content/themes/storefleet/assets/hero.svg" alt="" width="800" height="640"/></figure>
		<!-- /wp:image -->
	</div>
	<!-- /wp:column -->
</div>
<!-- /wp:columns -->

<!-- wp:columns {"align":"wide","style":{"spacing":{"margin":{"top":"0"},"padding":{"top":"var:preset|spacing|60","bottom":"var:preset|spacing|60"},"blockGap":{"left":"var:preset|spacing|50"}}}} -->
<div class="wp-block-columns alignwide" style="margin-top:0;padding-top:var(--wp--preset--spacing--60);padding-bottom:var(--wp--preset--spacing--60)">
	<!-- wp:column {"width":"32%"} -->
	<div class="wp-block-column" style="flex-basis:32%">
		<!-- wp:heading {"fontSize":"xx-large"} -->
		<h2 class="wp-block-heading has-xx-large-font-size"><?php echo esc_html(has_texts() ? __('From our shop', 'storefleet') : __('Products', 'woocommerce')); ?></h2>
		<!-- /wp:heading -->
<?php if (has_texts()) { ?>

		<!-- wp:paragraph {"textColor":"accent-4"} -->
		<p class="has-accent-4-color has-text-color"><?php esc_html_e('What is new, and what we like best.', 'storefleet'); ?></p>
		<!-- /wp:paragraph -->
<?php } ?>
	</div>
	<!-- /wp:column -->

	<!-- wp:column {"width":"68%"} -->
	<div class="wp-block-column" style="flex-basis:68%">
		<!-- wp:woocommerce/product-collection {"queryId":1,"query":{"perPage":6,"pages":1,"offset":0,"postType":"product","order":"desc","orderBy":"date","search":"","exclude":[],"inherit":false,"taxQuery":{},"isProductCollectionBlock":true,"featured":false,"woocommerceOnSale":false,"woocommerceStockStatus":["instock","onbackorder"],"woocommerceAttributes":[],"woocommerceHandPickedProducts":[]},"tagName":"div","displayLayout":{"type":"flex","columns":2,"shrinkColumns":true},"dimensions":{"widthType":"fill"},"queryContextIncludes":["collection"]} -->
		<div class="wp-block-woocommerce-product-collection">
			<!-- wp:woocommerce/product-template -->
			<!-- wp:woocommerce/product-image {"showSaleBadge":false,"imageSizing":"single","isDescendentOfQueryLoop":true} -->
			<!-- wp:woocommerce/product-sale-badge {"isDescendentOfQueryLoop":true,"align":"right"} /-->
			<!-- /wp:woocommerce/product-image -->

			<!-- wp:post-title {"level":3,"isLink":true,"fontSize":"large","__woocommerceNamespace":"woocommerce/product-collection/product-title"} /-->

			<!-- wp:woocommerce/product-price {"isDescendentOfQueryLoop":true} /-->

			<!-- wp:woocommerce/product-button {"isDescendentOfQueryLoop":true,"fontSize":"small"} /-->
			<!-- /wp:woocommerce/product-template -->
		</div>
		<!-- /wp:woocommerce/product-collection -->
	</div>
	<!-- /wp:column -->
</div>
<!-- /wp:columns -->
<?php if (has_texts()) { ?>

<!-- wp:group {"align":"full","style":{"spacing":{"margin":{"top":"0"},"padding":{"top":"var:preset|spacing|60","bottom":"var:preset|spacing|60"}}},"backgroundColor":"accent-5","layout":{"type":"constrained"}} -->
<div class="wp-block-group alignfull has-accent-5-background-color has-background" style="margin-top:0;padding-top:var(--wp--preset--spacing--60);padding-bottom:var(--wp--preset--spacing--60)">
	<!-- wp:heading {"align":"wide","fontSize":"xx-large"} -->
	<h2 class="wp-block-heading alignwide has-xx-large-font-size" id="how-to-order"><?php esc_html_e('How to order', 'storefleet'); ?></h2>
	<!-- /wp:heading -->

	<!-- wp:columns {"align":"wide","style":{"spacing":{"margin":{"top":"var:preset|spacing|40"},"blockGap":{"left":"var:preset|spacing|50"}}}} -->
	<div class="wp-block-columns alignwide" style="margin-top:var(--wp--preset--spacing--40)">
<?php foreach ($steps as $number => [$title, $text]) { ?>
		<!-- wp:column {"className":"shop-step","style":{"spacing":{"padding":{"top":"20px"}}}} -->
		<div class="wp-block-column shop-step" style="padding-top:20px">
			<!-- wp:heading {"level":3,"fontSize":"large"} -->
			<h3 class="wp-block-heading has-large-font-size"><?php echo $number + 1, '. ', esc_html($title); ?></h3>
			<!-- /wp:heading -->

			<!-- wp:paragraph -->
			<p><?php echo esc_html($text); ?></p>
			<!-- /wp:paragraph -->
		</div>
		<!-- /wp:column -->
<?php } ?>
	</div>
	<!-- /wp:columns -->
</div>
<!-- /wp:group -->
<?php } ?>
