<?php
/**
 * Title: Footer of the shop
 * Slug: storefleet/footer
 * Inserter: no
 */

declare(strict_types=1);

use function Storefleet\MuPlugin\shop_menu;

?>
<!-- wp:group {"className":"shop-footer","style":{"spacing":{"margin":{"top":"0"},"padding":{"top":"var:preset|spacing|50","bottom":"var:preset|spacing|50"}},"elements":{"link":{"color":{"text":"var:preset|color|base"}}}},"backgroundColor":"accent-3","textColor":"base","layout":{"type":"constrained"}} -->
<div class="wp-block-group shop-footer has-base-color has-accent-3-background-color has-text-color has-background has-link-color" style="margin-top:0;padding-top:var(--wp--preset--spacing--50);padding-bottom:var(--wp--preset--spacing--50)">
	<!-- wp:group {"align":"wide","style":{"spacing":{"blockGap":"30px"}},"layout":{"type":"flex","flexWrap":"wrap","justifyContent":"space-between","verticalAlignment":"center"}} -->
	<div class="wp-block-group alignwide">
		<!-- wp:group {"style":{"spacing":{"blockGap":"12px"}},"layout":{"type":"flex","flexWrap":"nowrap"}} -->
		<div class="wp-block-group">
			<!-- wp:site-logo {"width":44,"isLink":false} /-->

			<!-- wp:site-title {"level":0,"isLink":false,"fontSize":"large"} /-->
		</div>
		<!-- /wp:group -->

		<!-- wp:navigation {"ariaLabel":"<?php echo esc_attr_x('Footer', 'template part area'); ?>","overlayMenu":"never","fontSize":"small","style":{"spacing":{"blockGap":"10px 28px"}},"layout":{"type":"flex","flexWrap":"wrap"}} -->
		<?php echo shop_menu('footer'); ?>
		<!-- /wp:navigation -->
	</div>
	<!-- /wp:group -->
</div>
<!-- /wp:group -->
