<?php
/** Pictures of a new shop in its uploads: the monogram, and the sample product's. */

declare(strict_types=1);

namespace Storefleet;

use GdImage;

use function Storefleet\MuPlugin\bundled_theme;

const MONOGRAM_SIZE = 512;
const MONOGRAM_FONT = 'assets/fonts/literata/Literata72pt-Medium.woff2';
/** Of the theme, which also has it for headings. */
const SAMPLE_SIZES = [
    'woocommerce_single' => 600, 'woocommerce_thumbnail' => 300, 'woocommerce_gallery_thumbnail' => 100,
];
/** As in WooCommerce's settings: it would make pictures of these sizes at the first page view. */

/**
 * Adds an attachment whose file is in the uploads.
 *
 * @param string $alt for those who don't see it
 * @param array<string, int> $sizes image size => pixels; there is a file of each size, too
 */
function add_picture(string $file, string $title, string $alt, string $type, int $pixels, array $sizes = []): int
{
    $id = wp_insert_attachment(
        ['post_title' => wp_slash($title), 'post_mime_type' => $type, 'post_status' => 'inherit'],
        uploads_folder() . "/{$file}",
        wp_error: true,
    );
    if (is_wp_error($id)) {
        throw new UserError("A picture can't be added: {$id->get_error_message()}");
    }
    $metadata = ['width' => $pixels, 'height' => $pixels, 'file' => $file, 'sizes' => []];
    foreach ($sizes as $size => $pixels) {
        $smaller = (string) preg_replace('/(\.\w+)$/', "-{$pixels}x{$pixels}\$1", $file);
        $metadata['sizes'][$size] = ['file' => $smaller, 'width' => $pixels, 'height' => $pixels, 'mime-type' => $type];
    }
    wp_update_attachment_metadata($id, $metadata);
    update_post_meta($id, '_wp_attachment_image_alt', wp_slash($alt));
    return $id;
}

function uploads_folder(): string
{
    return wp_get_upload_dir()['basedir'];
}

function add_sample_picture(string $title): int
{
    foreach (glob('/opt/storefleet/pictures/sample-product*.webp') ?: [] as $picture) {
        if (!@copy($picture, uploads_folder() . '/' . basename($picture))) {
            throw new UserError('The disk for uploads can\'t be written: is it mounted, with space left?');
        }
    }
    $alt = __('A vase with twigs', 'storefleet');
    return add_picture('sample-product.webp', $title, $alt, 'image/webp', 800, SAMPLE_SIZES);
}

/** The first letter of the title on a square of that color (`#rrggbb`); a bag, for letters that the font lacks. */
function add_monogram(string $title, string $color): int
{
    $image = imagecreatetruecolor(MONOGRAM_SIZE, MONOGRAM_SIZE);
    [$red, $green, $blue] = sscanf($color, '#%02x%02x%02x');
    imagefill($image, 0, 0, imagecolorallocate($image, $red, $green, $blue));
    $font = get_theme_root() . '/' . bundled_theme('template') . '/' . MONOGRAM_FONT;
    $letter = is_file($font) ? first_letter($title) : null;
    $letter === null ? draw_bag($image) : draw_letter($image, $font, $letter);
    if (!imagepng($image, uploads_folder() . '/monogram.png')) {
        throw new UserError('The disk for uploads can\'t be written: is it mounted, with space left?');
    }
    return add_picture('monogram.png', $title, $title, 'image/png', MONOGRAM_SIZE);
}

/** The first Latin letter or digit; null if the title begins with letters of another script, or has none. */
function first_letter(string $title): ?string
{
    preg_match('/[\p{L}\p{N}]/u', $title, $first);
    $letter = mb_strtoupper($first[0] ?? '');
    return preg_match('/^[A-Z0-9À-ÖØ-ÞĀ-Ž]$/u', $letter) ? $letter : null;
}

function draw_letter(GdImage $image, string $font, string $letter): void
{
    $points = MONOGRAM_SIZE * 0.45;
    [$left, $bottom, $right, , , $top] = imagettfbbox($points, 0, $font, $letter);
    $x = (MONOGRAM_SIZE - $right - $left) / 2;
    $y = (MONOGRAM_SIZE - $bottom - $top) / 2;
    $white = imagecolorallocate($image, 255, 255, 255);
    imagettftext($image, $points, 0, (int) round($x), (int) round($y), $white, $font, $letter);
}

function draw_bag(GdImage $image): void
{
    $white = imagecolorallocate($image, 255, 255, 255);
    imagefilledpolygon($image, [156, 216, 356, 216, 376, 392, 136, 392], $white);
    imagesetthickness($image, 22);
    imagearc($image, 256, 216, 108, 140, 180, 360, $white);
}
