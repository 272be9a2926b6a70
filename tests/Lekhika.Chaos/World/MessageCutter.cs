using System.Buffers.Binary;

namespace Lekhika.Chaos.World;

/// <summary>A part of what a client sends that belongs to one message.</summary>
/// <param name="Bytes">What is to be passed on.</param>
/// <param name="Type">Type byte of the message; 0 for the packets before and of the start-up, which have none.</param>
/// <param name="Begins">Whether the message begins here.</param>
/// <param name="Ends">Whether it ends here.</param>
internal readonly record struct MessagePart(ReadOnlyMemory<byte> Bytes, byte Type, bool Begins, bool Ends);

/// <summary>
/// Cuts what a client sends into messages (PostgreSQL's frontend/backend protocol 3: after the start-up packets each message is a type byte and a length
/// that includes itself). A head that is not whole yet is kept back until it is.
/// </summary>
internal sealed class MessageCutter
{
    private const int StartUpVersion = 196608;
    private readonly List<byte> _head = [];
    private bool _started;
    private byte _type;
    private long _left;

    public IEnumerable<MessagePart> Cut(ReadOnlyMemory<byte> data)
    {
        while (data.Length > 0)
        {
            if (_left > 0)
            {
                var length = (int)Math.Min(_left, data.Length);
                _left -= length;
                yield return new MessagePart(data[..length], _type, Begins: false, Ends: _left == 0);
                data = data[length..];
                continue;
            }

            _head.Add(data.Span[0]);
            data = data[1..];
            if (_head.Count < (_started ? 5 : 8)) continue;
            var head = _head.ToArray();
            _head.Clear();
            _type = _started ? head[0] : (byte)0;
            _left = _started ? BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4 : BinaryPrimitives.ReadInt32BigEndian(head) - 8;
            if (!_started) _started = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)) == StartUpVersion;
            yield return new MessagePart(head, _type, Begins: true, Ends: _left == 0);
        }
    }

    /// <summary>Whether the server answers it before it is sent anything else.</summary>
    public static bool IsAnswered(byte type) => type is 0 or (byte)'Q' or (byte)'S' or (byte)'p';

    /// <summary>What the type byte stands for.</summary>
    public static string Name(byte type) => (char)type switch
    {
        '\0' => "start-up",
        'B' => "Bind",
        'C' => "Close",
        'D' => "Describe",
        'E' => "Execute",
        'H' => "Flush",
        'P' => "Parse",
        'Q' => "Query",
        'S' => "Sync",
        'X' => "Terminate",
        'p' => "password",
        _ => $"'{(char)type}'",
    };
}
