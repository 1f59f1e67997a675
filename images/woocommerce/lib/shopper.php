<?php
/** The synthetic shopper's HTTP client: requests to the store's Service, with the headers that an ingress would set. */

declare(strict_types=1);

namespace Storefleet;

use CurlHandle;

final class HttpResponse
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

    /** The status with WooCommerce's error code and message, or with the beginning of the page. */
    public function errorSummary(): string
    {
        $error = $this->json();
        $text = isset($error['message']) ? ($error['code'] ?? '') . ': ' . $error['message'] : strip_tags($this->body);
        return "{$this->status} " . mb_substr(trim((string) preg_replace('/\s+/', ' ', $text)), 0, 200);
    }
}

/** Path, query and fragment of a URL. */
function url_path(string $url): string
{
    return (string) preg_replace('~^https?://[^/]+~', '', $url);
}

final class Shopper
{
    private const TIMEOUT_SECONDS = 20;
    /** Seconds for the Service's endpoints to reach this node. */

    private const CONNECT_ERRORS = [CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST];
    private const CONNECT_TIMEOUT_MS = 5000;
    /** Milliseconds. */
    private const MAX_REDIRECTS = 5;

    private readonly CurlHandle $curl;
    private ?string $cartToken = null;

    /** @param string $service where to connect, `http://web`; $url: the store's public URL */
    public function __construct(
        private readonly string $service,
        private readonly string $url,
        private readonly string $token,
    ) {
        $this->curl = curl_init();
    }

    /** Waits until /readyz answers 200. Throws UserError after so many seconds. */
    public function waitUntilReady(int $seconds): void
    {
        $deadline = microtime(true) + $seconds;
        for ($attempt = 1; ; $attempt++) {
            // short timeouts: packets to a Service without endpoints may be dropped; every 20th attempt has a long one
            $connect = $attempt % 20 === 0 ? self::CONNECT_TIMEOUT_MS : 200;
            $result = $this->send('GET', '/readyz', null, $connect);
            if ($result instanceof HttpResponse && $result->status === 200) {
                return;
            }
            if (microtime(true) > $deadline) {
                $why = $result instanceof HttpResponse ? $result->errorSummary() : curl_strerror($result);
                throw new UserError("The shop did not open within {$seconds} seconds: {$why}.");
            }
            usleep(50_000);
        }
    }

    public function get(string $path): HttpResponse
    {
        return $this->request('GET', $path, null);
    }

    /** A page as visitors get it, without the proof's headers. Follows redirects. `$headers`: of the request. */
    public function visit(string $path, string ...$headers): HttpResponse
    {
        $response = $this->request('GET', $path, null, $headers);
        for ($count = 0; $count < self::MAX_REDIRECTS && isset($response->headers['location']); $count++) {
            $response = $this->request('GET', url_path($response->headers['location']), null, $headers);
        }
        return $response;
    }

    /** @param array<string, mixed> $body */
    public function post(string $path, array $body): HttpResponse
    {
        return $this->request('POST', $path, json_encode($body, JSON_THROW_ON_ERROR));
    }

    /** `session_key` in WooCommerce's table of sessions; null before there is a cart. */
    public function sessionKey(): ?string
    {
        $claims = explode('.', $this->cartToken ?? '')[1] ?? '';
        return json_decode((string) base64_decode(strtr($claims, '-_', '+/')), true)['user_id'] ?? null;
    }

    /** @param ?list<string> $headers null: those of the proof */
    private function request(string $method, string $path, ?string $body, ?array $headers = null): HttpResponse
    {
        $deadline = microtime(true) + self::TIMEOUT_SECONDS;
        while (true) {
            $result = $this->send($method, $path, $body, self::CONNECT_TIMEOUT_MS, $headers);
            if ($result instanceof HttpResponse) {
                $this->cartToken = $result->headers['cart-token'] ?? $this->cartToken;
                return $result;
            }
            if (!in_array($result, self::CONNECT_ERRORS, true) || microtime(true) > $deadline) {
                $why = curl_strerror($result);
                throw new UserError("The shop does not answer at {$this->service}{$path}: {$why}.");
            }
            usleep(100_000);
        }
    }

    /**
     * The response, or a cURL error code.
     *
     * @param ?list<string> $own
     */
    private function send(
        string $method,
        string $path,
        ?string $body,
        int $connectTimeoutMs,
        ?array $own = null,
    ): HttpResponse|int {
        $headers = [];
        curl_setopt_array($this->curl, [
            CURLOPT_URL => $this->service . $path,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => [...$this->originHeaders(), ...($own ?? $this->proofHeaders($body))],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT_MS => $connectTimeoutMs,
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
            : new HttpResponse(curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE), $headers, $text);
    }

    /** @return list<string> */
    private function originHeaders(): array
    {
        $host = (string) preg_replace('~^https?://|/.*$~', '', $this->url);
        return ["Host: {$host}", 'X-Forwarded-Proto: ' . parse_url($this->url, PHP_URL_SCHEME)];
    }

    /** @return list<string> */
    private function proofHeaders(?string $body): array
    {
        return array_values(array_filter([
            "X-Storefleet-Proof: {$this->token}",
            $this->cartToken === null ? null : "Cart-Token: {$this->cartToken}",
            $body === null ? null : 'Content-Type: application/json',
        ]));
    }
}
