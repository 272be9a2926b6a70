using System.Diagnostics.CodeAnalysis;

namespace Lekhika.Workflows.Expressions;

/// <summary>The names that an expression can see.</summary>
public interface ICelBindings
{
    /// <summary>Looks a name up. Asked each time the name is evaluated, so that values can be made on demand.</summary>
    /// <param name="name">A name such as <c>inputs</c>.</param>
    /// <param name="value">Its value.</param>
    /// <returns>False if the name is not declared.</returns>
    bool TryResolve(string name, out CelValue value);
}

/// <summary>Bindings held in a dictionary.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "It is a set of bindings that is filled with a collection initializer.")]
public sealed class CelBindings : ICelBindings, IEnumerable<KeyValuePair<string, CelValue>>
{
    private readonly Dictionary<string, CelValue> _values = new(StringComparer.Ordinal);

    /// <summary>No names at all.</summary>
    public static ICelBindings Empty { get; } = new NoBindings();

    /// <summary>The value of a name.</summary>
    /// <param name="name">The name.</param>
    public CelValue this[string name]
    {
        get => _values[name];
        set => _values[name] = value;
    }

    /// <summary>Declares a name.</summary>
    /// <param name="name">The name; must be new.</param>
    /// <param name="value">Its value.</param>
    public void Add(string name, CelValue value) => _values.Add(name, value);

    /// <inheritdoc/>
    public bool TryResolve(string name, out CelValue value) => _values.TryGetValue(name, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, CelValue>> GetEnumerator() => _values.GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

    private sealed class NoBindings : ICelBindings
    {
        public bool TryResolve(string name, out CelValue value)
        {
            value = default;
            return false;
        }
    }
}
