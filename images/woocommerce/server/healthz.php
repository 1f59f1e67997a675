<?php
/** The liveness probe: whether PHP answers. */

declare(strict_types=1);

header('Cache-Control: no-store');
header('Content-Type: text/plain');
echo "ok\n";
