<?php
/** A task of WooCommerce's task list, from setup_tasks(). */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

use Automattic\WooCommerce\Admin\Features\OnboardingTasks\Task;

final class SetupTask extends Task
{
    public function __construct(object $list, private readonly string $task)
    {
        parent::__construct($list);
    }

    public function get_id()
    {
        return $this->task;
    }

    public function get_title()
    {
        return setup_tasks()[$this->task]['title'];
    }

    public function get_content()
    {
        return setup_tasks()[$this->task]['text'];
    }

    public function get_additional_info()
    {
        return $this->get_content();
    }

    public function get_time()
    {
        return '';
    }

    public function get_action_url()
    {
        return admin_url(setup_tasks()[$this->task]['path']);
    }

    public function can_view()
    {
        // nobody did these: most shops are open, and many are outside the European Union
        return !in_array($this->task, ['storefleet_open', 'storefleet_withdrawal'], true) || !$this->is_complete();
    }

    /** What is set up may be what the owner wants. */
    public function is_dismissable()
    {
        $dismissable = ['storefleet_withdrawal', 'storefleet_tax', 'storefleet_shipping', 'storefleet_logo'];
        return in_array($this->task, $dismissable, true);
    }

    public function is_complete()
    {
        return setup_tasks()[$this->task]['is_done']();
    }
}
