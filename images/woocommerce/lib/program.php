<?php
/** One run of a program: a line of output for each step, and an unambiguous result. */

declare(strict_types=1);

namespace Storefleet;

/** An error whose message is shown to the owner: one line that says what is wrong and what to do. */
final class UserError extends \RuntimeException
{
}

/**
 * Success is exit code 0 together with the result as last line. Every other end of the process has another exit code:
 * WordPress calls `die` after fatal errors, and PHP would then exit with 0.
 */
final class Program
{
    private const TERMINATION_LOG = '/dev/termination-log';
    private const EXIT_NON_RETRYABLE = 78;
    /** EX_CONFIG of sysexits.h: an error in the step `check`, of the environment or the image, which no retry mends. */

    /** @var list<array{name: string, ms: int}> */
    private array $steps = [];
    private ?string $step = null;
    private bool $ended = false;
    private float $startedAt;
    private float $stepStartedAt;

    public function __construct()
    {
        $this->startedAt = $this->stepStartedAt = microtime(true);
        // standard output has only this class' lines; output of WordPress goes to standard error
        ob_start(static function (string $text): string {
            fwrite(STDERR, $text);
            return '';
        }, 1);
        set_exception_handler($this->fail(...));
        register_shutdown_function($this->onShutdown(...));
    }

    /** Starts a step, and ends the one before. */
    public function step(string $name): void
    {
        $this->endStep();
        [$this->step, $this->stepStartedAt] = [$name, microtime(true)];
    }

    /** The receipt tells what the current step did instead. */
    public function renameStep(string $name): void
    {
        $this->step = $name;
    }

    /** Leaves the steps until now out of the receipt: they waited for other programs. */
    public function resetTimer(): void
    {
        $this->endStep();
        [$this->steps, $this->startedAt] = [[], microtime(true)];
    }

    /** Exits with success. With `$receipt`, the last line is the receipt, and also the termination message. */
    public function finish(string $outcome, bool $receipt = false): never
    {
        $this->endStep();
        $total = self::millisecondsSince($this->startedAt);
        $line = self::json(
            $receipt
                ? ['simulated' => false, 'totalMs' => $total, 'steps' => $this->steps]
                : ['done' => $outcome, 'totalMs' => $total],
        );
        if ($receipt) {
            self::writeTerminationMessage($line);
        }
        self::printLine($line);
        $this->ended = true;
        exit(0);
    }

    public function fail(\Throwable $error): never
    {
        if ($error instanceof UserError) {
            $this->exitWithError($error->getMessage());
        }
        fwrite(STDERR, self::redactSecrets(get_class($error) . " in {$error->getFile()}:{$error->getLine()}\n"));
        $this->exitWithError("The step {$this->step} failed: {$error->getMessage()}");
    }

    private function onShutdown(): void
    {
        if ($this->ended) {
            return;
        }
        $error = error_get_last();
        $why = $error === null ? 'WordPress ended by itself' : strtok($error['message'], "\n");
        $this->exitWithError("The step {$this->step} failed: {$why}");
    }

    /** Writes the termination message, too: without one, the kubelet would use the log, which begins with the steps. */
    private function exitWithError(string $why): never
    {
        $this->ended = true;
        $line = self::redactSecrets(self::toPlainLine($why));
        self::writeTerminationMessage($line);
        self::printLine($line);
        exit($this->step === 'check' ? self::EXIT_NON_RETRYABLE : 1);
    }

    private function endStep(): void
    {
        if ($this->step === null) {
            return;
        }
        $milliseconds = self::millisecondsSince($this->stepStartedAt);
        $this->steps[] = ['name' => $this->step, 'ms' => $milliseconds];
        self::printLine(self::json(['step' => $this->step, 'ms' => $milliseconds]));
        $this->step = null;
    }

    private static function printLine(string $line): void
    {
        fwrite(STDOUT, "{$line}\n");
    }

    private static function writeTerminationMessage(string $line): void
    {
        if (is_writable(self::TERMINATION_LOG)) {
            file_put_contents(self::TERMINATION_LOG, $line);
        }
    }

    /** Messages of WordPress are often HTML pages. At most 500 characters. */
    private static function toPlainLine(string $text): string
    {
        $plain = html_entity_decode(strip_tags($text), ENT_QUOTES | ENT_HTML5);
        return mb_substr(trim((string) preg_replace('/[\s\p{C}]+/u', ' ', mb_scrub($plain))), 0, 500);
    }

    private static function redactSecrets(string $text): string
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

    private static function millisecondsSince(float $since): int
    {
        return (int) round((microtime(true) - $since) * 1000);
    }
}
