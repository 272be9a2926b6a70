using System.Buffers.Binary;

namespace Lekhika.Chaos.World;

/// <summary>
/// Counts Execute and Query messages in what a client sends (PostgreSQL's frontend/backend protocol 3: after the start-up packets each message is a type
/// byte and a length that includes itself).
/// </summary>
internal sealed class StatementCounter
{
    private const int StartUpVersion = 196608;
    private readonly List<byte> _head = [];
    private bool _started;
    private long _skip;

    public int Count(ReadOnlySpan<byte> data)
    {
        var found = 0;
        while (data.Length > 0)
        {
            if (_skip > 0)
            {
                var part = (int)Math.Min(_skip, data.Length);
                data = data[part..];
                _skip -= part;
                continue;
            }

            _head.Add(data[0]);
            data = data[1..];
            if (!_started)
            {
                if (_head.Count < 8) continue;
                var length = BinaryPrimitives.ReadInt32BigEndian(_head.ToArray());
                _started = BinaryPrimitives.ReadInt32BigEndian(_head.ToArray().AsSpan(4)) == StartUpVersion;
                _skip = length - 8;
            }
            else
            {
                if (_head.Count < 5) continue;
                if (_head[0] is (byte)'E' or (byte)'Q') found++;
                _skip = BinaryPrimitives.ReadInt32BigEndian(_head.ToArray().AsSpan(1)) - 4;
            }

            _head.Clear();
        }

        return found;
    }
}
