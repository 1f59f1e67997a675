<?php
/** One run of a program: a line a step, and an end that can't be mistaken for another. */

declare(strict_types=1);

namespace Storefleet;

/** A failure told to the owner as it is: one plain line that says what is wrong and what to do. */
final class Problem extends \RuntimeException
{
}

/**
 * Success is the last line printed and exit code 0, both. Whatever else ends the process ends it with another code:
 * WordPress says `die` when it can't go on, and PHP exits with 0 then. What `check` looks at is the same in any run.
 */
final class Program
{
    private const LAST_WORDS = '/dev/termination-log';
    private const HOPELESS = 78;
    /** Exit code where what the program was given, or its image, is wrong: trying again would end in the same. */

    /** @var list<array{name: string, ms: int}> */
    private array $done = [];
    private ?string $step = null;
    private bool $ended = false;
    private float $began;
    private float $stepBegan;

    public function __construct()
    {
        $this->began = $this->stepBegan = microtime(true);
        // standard output is for our lines alone; what WordPress says goes to the log beside it
        ob_start(static function (string $text): string {
            fwrite(STDERR, $text);
            return '';
        }, 1);
        set_exception_handler($this->fail(...));
        register_shutdown_function($this->cutShort(...));
    }

    /** Names what happens from here on; the step before ends here. */
    public function step(string $name): void
    {
        $this->close();
        [$this->step, $this->stepBegan] = [$name, microtime(true)];
    }

    /** All before was waiting for others: it is no part of the receipt. */
    public function begin(): void
    {
        $this->close();
        [$this->done, $this->began] = [[], microtime(true)];
    }

    /** Ends well. With a receipt, what it says becomes the termination message. */
    public function finish(string $outcome, bool $receipt = false): never
    {
        $this->close();
        $total = self::ms($this->began);
        $line = self::json(
            $receipt
                ? ['simulated' => false, 'totalMs' => $total, 'steps' => $this->done]
                : ['done' => $outcome, 'totalMs' => $total],
        );
        if ($receipt) {
            self::leave($line);
        }
        self::say($line);
        $this->ended = true;
        exit(0);
    }

    public function fail(\Throwable $error): never
    {
        if ($error instanceof Problem) {
            $this->end($error->getMessage());
        }
        fwrite(STDERR, self::scrub(get_class($error) . " in {$error->getFile()}:{$error->getLine()}\n"));
        $this->end("The step {$this->step} failed: {$error->getMessage()}");
    }

    private function cutShort(): void
    {
        if ($this->ended) {
            return;
        }
        $error = error_get_last();
        $why = $error === null ? 'WordPress ended by itself' : strtok($error['message'], "\n");
        $this->end("The step {$this->step} failed: {$why}");
    }

    /** As the termination message, too: what kubelet takes from the log otherwise begins with the steps. */
    private function end(string $why): never
    {
        $this->ended = true;
        $line = self::scrub(self::line($why));
        self::leave($line);
        self::say($line);
        exit($this->step === 'check' ? self::HOPELESS : 1);
    }

    private function close(): void
    {
        if ($this->step === null) {
            return;
        }
        $this->done[] = ['name' => $this->step, 'ms' => self::ms($this->stepBegan)];
        self::say(self::json(['step' => $this->step, 'ms' => self::ms($this->stepBegan)]));
        $this->step = null;
    }

    private static function say(string $line): void
    {
        fwrite(STDOUT, "{$line}\n");
    }

    private static function leave(string $line): void
    {
        if (is_writable(self::LAST_WORDS)) {
            file_put_contents(self::LAST_WORDS, $line);
        }
    }

    /** What WordPress says is often a page. */
    private static function line(string $text): string
    {
        $plain = html_entity_decode(strip_tags($text), ENT_QUOTES | ENT_HTML5);
        return mb_substr(trim((string) preg_replace('/[\s\p{C}]+/u', ' ', mb_scrub($plain))), 0, 500);
    }

    private static function scrub(string $text): string
    {
        foreach (getenv() as $name => $value) {
            if (strlen($value) >= 6 && preg_match('/_(PASSWORD|TOKEN|KEY|SALT)$/', $name)) {
                $text = str_replace($value, '…', $text);
            }
        }
        return $text;
    }

    private static function json(mixed $value): string
    {
        return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    }

    private static function ms(float $since): int
    {
        return (int) round((microtime(true) - $since) * 1000);
    }
}
