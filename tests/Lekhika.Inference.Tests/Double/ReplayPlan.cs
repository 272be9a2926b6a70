namespace Lekhika.Inference.Tests.Double;

/// <summary>Which recorded exchange is held against the double by which test, and which is not and why.</summary>
public static class ReplayPlan
{
    /// <summary>Exchanges of these files are replayed one by one unless named below.</summary>
    private static readonly HashSet<string> ReplayedFolders =
        ["A-default", "B-max-loaded-1", "G-misc", "H-extra", "H3-queue-0", "J-repeat-guard"];

    /// <summary>Not held against the double, with the reason.</summary>
    public static readonly IReadOnlyDictionary<string, string> LeftOut = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["A-default/41-content-length-too-long"] = "the recording is of a server that waits for bytes that never come; there is no answer to compare",
        ["A-default/41-malformed-request-line"] = "answered by the HTTP server below the double (Kestrel: 400 without a body)",
        ["A-default/42-host-missing-http11"] = "answered by the HTTP server below the double (Kestrel: 400 without a body)",
        ["H-extra/24-context-bad-tokens"] = "the double has no vocabulary to check tokens against",
        ["H-extra/32-blob-truncated"] = "the blob was cut in the recording; only a loader of weights tells it from a whole one",
        ["H-extra/32-create-truncated"] = "needs a reader of tensors",
        ["H-extra/32-create-truncated-nonstream"] = "needs a reader of tensors",
        ["H-extra/33-blob"] = "the blob was cut in the recording",
        ["H-extra/33-create-b"] = "its blob was cut in the recording; A-default/05-create-stream has the same lines",
        ["H-extra/34-generate-blob-truncated-nonstream"] = "needs a disk to damage and a reader of tensors",
        ["H-extra/34-generate-blob-truncated-on-disk"] = "needs a disk to damage and a reader of tensors",
        ["H-extra/35-chat-blob-missing-on-disk"] = "needs a disk to damage",
        ["H-extra/35-generate-blob-missing-on-disk"] = "needs a disk to damage",
        ["H-extra/35-show-blob-missing"] = "needs a disk to damage",
        ["H-extra/35-tags-blob-missing"] = "needs a disk to damage; the shape is that of A-default/06-tags",
        ["H-extra/36-delete-bmodel"] = "its model was never made here; A-default/08-delete is the same",
    };

    /// <summary>Exchanges that only mean something together, by the test that plays the situation.</summary>
    public static readonly IReadOnlyDictionary<string, string> PlayedTogether = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["B-max-loaded-1/30-"] = nameof(QueueTests.Requests_for_the_loaded_model_overtake_a_waiting_swap),
        ["C-queue-1/"] = nameof(QueueTests.A_full_load_queue_answers_503_and_a_loaded_model_never_does),
        ["C2-queue-1-maxloaded-1/"] = nameof(QueueTests.While_a_swap_waits_every_way_in_answers_503_and_control_calls_are_served),
        ["D-parallel-2/"] = nameof(QueueTests.Two_slots_run_two_requests_and_the_third_waits),
        ["D1-parallel-1/"] = nameof(QueueTests.One_slot_serves_first_come_first_served),
        ["H4-fifo/"] = nameof(QueueTests.One_slot_serves_first_come_first_served),
        ["K-swap-starvation/"] = nameof(QueueTests.Requests_for_the_loaded_model_overtake_a_waiting_swap),
        ["K2-swap-starvation-overlap/"] = nameof(QueueTests.Requests_for_the_loaded_model_overtake_a_waiting_swap),
        ["E-disconnect/1"] = nameof(LeavingTests.Leaving_in_mid_stream_frees_the_slot),
        ["E-disconnect/0"] = nameof(LeavingTests.Leaving_in_mid_stream_frees_the_slot),
        ["E-disconnect/2"] = nameof(LeavingTests.Leaving_the_queue_of_a_loaded_model_frees_the_place),
        ["E-disconnect/3"] = nameof(LeavingTests.Leaving_during_a_load_cancels_it),
        ["E-disconnect/4"] = nameof(LeavingTests.Unload_of_a_busy_model_answers_at_once_and_takes_effect_after_the_stream),
        ["H2-pending-leaves/"] = nameof(LeavingTests.Leaving_while_a_swap_waits_does_not_undo_the_eviction),
        ["I-leak/"] = nameof(LeavingTests.Leaving_while_a_swap_waits_does_not_undo_the_eviction),
        ["F-crash/00-"] = nameof(CrashTests.A_runner_killed_in_mid_stream_ends_with_an_error_line_and_the_next_request_loads_again),
        ["F-crash/10-"] = nameof(CrashTests.A_runner_killed_in_mid_stream_ends_with_an_error_line_and_the_next_request_loads_again),
        ["F-crash/11-"] = nameof(CrashTests.A_runner_killed_in_mid_stream_ends_with_an_error_line_and_the_next_request_loads_again),
        ["F-crash/12-"] = nameof(CrashTests.A_runner_killed_under_a_plain_request_is_a_500),
        ["F-crash/13-"] = nameof(CrashTests.A_runner_killed_under_a_plain_request_is_a_500),
        ["F-crash/14-"] = nameof(CrashTests.A_runner_killed_in_mid_stream_ends_with_an_error_line_and_the_next_request_loads_again),
        ["F-crash/15-"] = nameof(CrashTests.A_runner_killed_in_mid_stream_ends_with_an_error_line_and_the_next_request_loads_again),
        ["F-crash/16-"] = nameof(CrashTests.A_runner_that_died_idle_is_still_listed_and_loaded_again_on_demand),
        ["F-crash/17-"] = nameof(CrashTests.A_runner_that_died_idle_is_still_listed_and_loaded_again_on_demand),
        ["F-crash/18-"] = nameof(CrashTests.A_frozen_runner_sends_nothing_until_it_goes_on),
        ["F-crash/19-"] = nameof(CrashTests.A_frozen_runner_sends_nothing_until_it_goes_on),
        ["F-crash/2"] = nameof(CrashTests.A_server_that_ends_cuts_the_stream_without_a_last_chunk),
        ["L-speed/"] = nameof(SpeedTests.Tokens_come_at_the_speed_that_was_asked_for),
    };

    /// <summary>The test that plays an exchange together with others, if one does.</summary>
    public static string? PlayedBy(string name) =>
        PlayedTogether.Where(pair => name.StartsWith(pair.Key, StringComparison.Ordinal)).Select(pair => pair.Value).FirstOrDefault();

    public static bool IsReplayed(RecordedExchange exchange) =>
        ReplayedFolders.Contains(exchange.Folder) && !LeftOut.ContainsKey(exchange.Case) && PlayedBy(exchange.Case) is null;
}
