<?php
/**
 * The response while the database can't be reached: WordPress loads this file, a drop-in of wp-content, before anything
 * else. WordPress' own page has no Retry-After, and status 500.
 */

declare(strict_types=1);

if (PHP_SAPI === 'cli') {
    if (defined('STOREFLEET_PROGRAM')) {
        wp_die('the database can\'t be reached.');
    }
    fwrite(STDERR, "The database can't be reached.\n");
    exit(1);
}
http_response_code(503);
header('Cache-Control: no-store');
header('Retry-After: 5');
$message = 'This shop can\'t be reached just now. It will be back in a moment.';
if (str_contains($_SERVER['REQUEST_URI'] ?? '', '/wp-json/') || isset($_GET['rest_route'])) {
    header('Content-Type: application/json; charset=utf-8');
    echo json_encode(['code' => 'storefleet_unavailable', 'message' => $message, 'data' => ['status' => 503]]);
    exit;
}
header('Content-Type: text/html; charset=utf-8');
// a form that was sent must not be sent again by itself
$reloads = in_array($_SERVER['REQUEST_METHOD'] ?? 'GET', ['GET', 'HEAD'], true);
?>
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<?php if ($reloads) { ?><meta http-equiv="refresh" content="5"><?php } ?>
<title>Back in a moment</title>
<style>body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto; padding: 0 1rem }</style>
</head>
<body>
<h1>Back in a moment</h1>
<p><?php echo $message, $reloads ? ' This page tries again by itself.' : ' Please go back and try again.'; ?></p>
</body>
</html>
<?php
exit;
