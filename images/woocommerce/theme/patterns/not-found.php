<?php
/**
 * Title: Page not found
 * Slug: storefleet/not-found
 * Inserter: no
 */

declare(strict_types=1);

use function Storefleet\MuPlugin\page_path;

?>
<!-- wp:heading {"level":1,"fontSize":"xx-large"} -->
<h1 class="wp-block-heading has-xx-large-font-size"><?php esc_html_e('Page not found'); ?></h1>
<!-- /wp:heading -->

<!-- wp:buttons -->
<div class="wp-block-buttons">
	<!-- wp:button -->
	<div class="wp-block-button"><a class="wp-block-button__link wp-element-button" href="<?php echo esc_url(page_path('shop')); ?>"><?php echo esc_html(get_the_title(wc_get_page_id('shop'))); ?></a></div>
	<!-- /wp:button -->
</div>
<!-- /wp:buttons -->
