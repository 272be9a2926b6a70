namespace Lekhika.Workflows.Validation;

/// <summary>Collects problems while a definition is read or checked. Bounded: a hostile document must not produce a gigabyte of complaints.</summary>
internal sealed class ProblemList
{
    private const int Most = 500;
    private readonly List<Problem> _items = [];
    private readonly HashSet<(string Code, string Path, string Message)> _seen = [];

    public IReadOnlyList<Problem> Items => _items;

    public bool HasErrors { get; private set; }

    public void Error(string code, string path, string message, string? suggestion = null) =>
        Add(new Problem(Severity.Error, code, path, message, suggestion));

    public void Warn(string code, string path, string message, string? suggestion = null) =>
        Add(new Problem(Severity.Warning, code, path, message, suggestion));

    public void Add(Problem problem)
    {
        HasErrors |= problem.Severity == Severity.Error;
        if (!_seen.Add((problem.Code, problem.Path, problem.Message))) return;
        if (_items.Count < Most) _items.Add(problem);
        else if (_items.Count == Most)
            _items.Add(new Problem(Severity.Warning, "too_many_problems", "", $"more than {Most} problems; the rest are left out"));
    }
}
