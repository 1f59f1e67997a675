<?php
/**
 * Title: Header of the shop
 * Slug: storefleet/header
 * Inserter: no
 */

declare(strict_types=1);

use function Storefleet\MuPlugin\shop_menu;

?>
<!-- wp:group {"className":"shop-header","style":{"spacing":{"padding":{"top":"18px","bottom":"18px"}}},"layout":{"type":"constrained"}} -->
<div class="wp-block-group shop-header" style="padding-top:18px;padding-bottom:18px">
	<!-- wp:group {"align":"wide","style":{"spacing":{"blockGap":"20px"}},"layout":{"type":"flex","flexWrap":"nowrap","justifyContent":"space-between"}} -->
	<div class="wp-block-group alignwide">
		<!-- wp:group {"style":{"spacing":{"blockGap":"12px"}},"layout":{"type":"flex","flexWrap":"nowrap"}} -->
		<div class="wp-block-group">
			<!-- wp:site-logo {"width":44,"shouldSyncIcon":false} /-->

			<!-- wp:site-title {"level":0,"fontSize":"large"} /-->
		</div>
		<!-- /wp:group -->

		<!-- wp:group {"style":{"spacing":{"blockGap":"6px"}},"layout":{"type":"flex","flexWrap":"nowrap","justifyContent":"right"}} -->
		<div class="wp-block-group">
			<!-- wp:navigation {"ariaLabel":"<?php esc_attr_e('Menu'); ?>","overlayBackgroundColor":"base","overlayTextColor":"contrast","style":{"spacing":{"blockGap":"28px"}},"layout":{"type":"flex","justifyContent":"right","flexWrap":"nowrap"}} -->
			<?php echo shop_menu('header'); ?>
			<!-- /wp:navigation -->

			<!-- wp:woocommerce/customer-account {"displayStyle":"icon_only","iconStyle":"line","iconClass":"wc-block-customer-account__account-icon"} /-->

			<!-- wp:woocommerce/mini-cart /-->
		</div>
		<!-- /wp:group -->
	</div>
	<!-- /wp:group -->
</div>
<!-- /wp:group -->
