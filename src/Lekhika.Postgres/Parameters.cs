using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres;

/// <summary>Adds positional parameters of the types the functions take.</summary>
internal static class Parameters
{
    public static void AddArray<TItem, TValue>(this NpgsqlParameterCollection to, IReadOnlyList<TItem> items, NpgsqlDbType type, Func<TItem, TValue> select)
    {
        var values = new TValue[items.Count];
        for (var i = 0; i < values.Length; i++) values[i] = select(items[i]);
        to.Add(new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
    }

    /// <summary>An array that is null itself if nothing is in it.</summary>
    public static void AddSparseArray<TItem, TValue>(
        this NpgsqlParameterCollection to, IReadOnlyList<TItem> items, NpgsqlDbType type, Func<TItem, TValue?> select)
    {
        TValue?[]? values = null;
        for (var i = 0; i < items.Count; i++)
        {
            if (select(items[i]) is { } value) (values ??= new TValue?[items.Count])[i] = value;
        }

        to.AddArray(values, type);
    }

    public static void AddArray<TValue>(this NpgsqlParameterCollection to, TValue[]? values, NpgsqlDbType type) =>
        to.Add(values is null
            ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | type }
            : new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });

    public static void AddValue(this NpgsqlParameterCollection to, object? value, NpgsqlDbType type) =>
        to.Add(new NpgsqlParameter { Value = value ?? DBNull.Value, NpgsqlDbType = type });
}
