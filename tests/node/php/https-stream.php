<?php
/** auto_prepend_file: a stream wrapper that reads https URLs from files in /made/https, named by encoded URLs. */

declare(strict_types=1);

final class HttpsStream
{
    /** @var resource|null set by PHP */
    public $context;
    /** @var resource */
    private $file;

    public function stream_open(string $url): bool
    {
        $path = '/made/https/' . rawurlencode($url);
        return is_file($path) && ($this->file = fopen($path, 'rb'));
    }

    public function stream_read(int $bytes): string
    {
        return fread($this->file, $bytes);
    }

    public function stream_eof(): bool
    {
        return feof($this->file);
    }

    public function stream_stat(): array
    {
        return fstat($this->file);
    }

    /** As PHP's own wrapper: file functions can't stat a URL. */
    public function url_stat(): bool
    {
        return false;
    }
}

stream_wrapper_unregister('https');
stream_wrapper_register('https', HttpsStream::class, STREAM_IS_URL);
