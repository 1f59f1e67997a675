<?php
/** A shopper who comes by HTTP, through the store's Service, as the ingress would send them. */

declare(strict_types=1);

namespace Storefleet;

use CurlHandle;

/** An answer of the shop. */
final class Answer
{
    /** @param array<string, string> $headers by lower-case name */
    public function __construct(
        public readonly int $status,
        public readonly array $headers,
        public readonly string $body,
    ) {
    }

    /** @return array<mixed> */
    public function json(): array
    {
        $value = json_decode($this->body, true);
        return is_array($value) ? $value : [];
    }

    /** What is wrong, for whoever reads it: WooCommerce's own code and words, or the beginning of the page. */
    public function complaint(): string
    {
        $said = $this->json();
        $text = isset($said['message']) ? ($said['code'] ?? '') . ': ' . $said['message'] : strip_tags($this->body);
        return "{$this->status} " . mb_substr(trim((string) preg_replace('/\s+/', ' ', $text)), 0, 200);
    }
}

/** What of a URL follows the host. */
function without_host(string $url): string
{
    return (string) preg_replace('~^https?://[^/]+~', '', $url);
}

final class Shopper
{
    private const PATIENCE = 20;
    /** Seconds for the Service to lead somewhere: the first pod behind it is known everywhere a moment later. */

    private const NOT_THERE = [CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST];
    private const CONNECT = 5000;
    /** Milliseconds. */
    private const REDIRECTS = 5;

    private readonly CurlHandle $curl;
    private ?string $cart = null;

    /** @param string $service where to connect, `http://web`; $url: the store's own address */
    public function __construct(
        private readonly string $service,
        private readonly string $url,
        private readonly string $token,
    ) {
        $this->curl = curl_init();
    }

    /** Waits until the Service leads to a shop that is ready for shoppers. Raises Problem after so many seconds. */
    public function wait(int $seconds): void
    {
        $until = microtime(true) + $seconds;
        for ($tries = 1; ; $tries++) {
            // short ones: packets to a Service that leads nowhere yet may be lost; now and then one with patience
            $answer = $this->try('GET', '/readyz', null, connect: $tries % 20 === 0 ? self::CONNECT : 200);
            if ($answer instanceof Answer && $answer->status === 200) {
                return;
            }
            if (microtime(true) > $until) {
                $why = $answer instanceof Answer ? $answer->complaint() : curl_strerror($answer);
                throw new Problem("The shop did not open within {$seconds} seconds: {$why}.");
            }
            usleep(50_000);
        }
    }

    public function get(string $path): Answer
    {
        return $this->ask('GET', $path, null);
    }

    /** As a browser does: to where the shop sends it. */
    public function open(string $path): Answer
    {
        $answer = $this->get($path);
        for ($sent = 0; $sent < self::REDIRECTS && isset($answer->headers['location']); $sent++) {
            $answer = $this->get(without_host($answer->headers['location']));
        }
        return $answer;
    }

    /** @param array<string, mixed> $body */
    public function post(string $path, array $body): Answer
    {
        return $this->ask('POST', $path, json_encode($body, JSON_THROW_ON_ERROR));
    }

    /** The key of the shopper's row in WooCommerce's table of sessions, or null before there is a cart. */
    public function session(): ?string
    {
        $claims = explode('.', $this->cart ?? '')[1] ?? '';
        return json_decode((string) base64_decode(strtr($claims, '-_', '+/')), true)['user_id'] ?? null;
    }

    private function ask(string $method, string $path, ?string $body): Answer
    {
        $until = microtime(true) + self::PATIENCE;
        while (true) {
            $answer = $this->try($method, $path, $body);
            if ($answer instanceof Answer) {
                $this->cart = $answer->headers['cart-token'] ?? $this->cart;
                return $answer;
            }
            if (!in_array($answer, self::NOT_THERE, true) || microtime(true) > $until) {
                $why = curl_strerror($answer);
                throw new Problem("The shop does not answer at {$this->service}{$path}: {$why}.");
            }
            usleep(100_000);
        }
    }

    private function try(string $method, string $path, ?string $body, int $connect = self::CONNECT): Answer|int
    {
        $headers = [];
        curl_setopt_array($this->curl, [
            CURLOPT_URL => $this->service . $path,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => $this->headers($body),
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT_MS => $connect,
            CURLOPT_TIMEOUT => 45,
            CURLOPT_HEADERFUNCTION => static function (CurlHandle $_, string $line) use (&$headers): int {
                [$name, $value] = array_pad(explode(':', $line, 2), 2, '');
                $headers[strtolower($name)] = trim($value);
                return strlen($line);
            },
        ]);
        $text = curl_exec($this->curl);
        return $text === false
            ? curl_errno($this->curl)
            : new Answer(curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE), $headers, $text);
    }

    /** @return list<string> */
    private function headers(?string $body): array
    {
        $host = (string) preg_replace('~^https?://|/.*$~', '', $this->url);
        return array_filter([
            "Host: {$host}",
            'X-Forwarded-Proto: ' . parse_url($this->url, PHP_URL_SCHEME),
            "X-Storefleet-Proof: {$this->token}",
            $this->cart === null ? null : "Cart-Token: {$this->cart}",
            $body === null ? null : 'Content-Type: application/json',
        ]);
    }
}
