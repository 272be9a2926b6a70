namespace Lekhika.Doubles;

/// <summary>The vocabulary of generated prose. Some words carry letters of two and three bytes, as real text does.</summary>
internal static class WordList
{
    public static readonly string[] Openers =
    [
        "The", "Every", "Beyond the river a", "At first the", "Slowly the", "Some say the", "Near the harbour a", "In the end the", "That winter the",
        "Behind the counter the", "By evening a", "Nobody noticed how the", "Under the bridge a", "Two streets away the", "Before dawn the", "Once more the",
    ];

    public static readonly string[] Nouns =
    [
        "lantern", "clerk", "garden", "ledger", "signal", "carpenter", "orchard", "letter", "engine", "ferry", "neighbour", "window", "archive",
        "baker", "map", "river", "bell", "workshop", "stranger", "tower", "café", "rope", "market", "teacher", "notebook", "path", "sail", "kettle",
        "mason", "valley", "façade", "compass", "weaver", "storm", "bridge", "choir", "mill", "fox", "painter", "gate",
    ];

    public static readonly string[] Verbs =
    [
        "carried", "remembered", "followed", "repaired", "counted", "opened", "described", "measured", "answered", "kept", "turned towards", "waited for",
        "lit", "crossed", "copied", "watched", "left", "found", "praised", "doubted", "returned to", "named", "folded", "sold",
    ];

    public static readonly string[] Adjectives =
    [
        "quiet", "narrow", "patient", "old", "bright", "careful", "hollow", "northern", "pale", "stubborn", "early", "curious", "heavy", "gentle",
        "crooked", "familiar", "naïve", "distant", "plain", "golden", "restless", "broken", "green", "tall",
    ];

    public static readonly string[] Links =
        ["and", "while", "because", "until", "although", "so that", "but", "before", "—", "where", "as if", "since"];
}
