<?php
/** Refuses pictures with more pixels than a web process can resize: the process would be killed, or run for minutes. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

const MAX_MEGAPIXELS = 24;
/** While a picture is resized, each pixel takes 4 bytes, and PHP's memory_limit doesn't count them. */

foreach (['wp_handle_upload_prefilter', 'wp_handle_sideload_prefilter'] as $filter) {
    add_filter($filter, __NAMESPACE__ . '\refuse_large_picture');
}

/**
 * @param array<string, mixed> $file as in $_FILES
 * @return array<string, mixed> with `error` if it is refused
 */
function refuse_large_picture(array $file): array
{
    $size = is_file((string) ($file['tmp_name'] ?? '')) ? @getimagesize($file['tmp_name']) : false;
    $megapixels = $size === false ? 0 : $size[0] * $size[1] / 1e6;
    if ($megapixels > MAX_MEGAPIXELS) {
        $file['error'] = sprintf(
            'This picture has %.0f megapixels, and this shop takes at most %d. Make it smaller, then upload it again.',
            ceil($megapixels),
            MAX_MEGAPIXELS,
        );
    }
    return $file;
}
