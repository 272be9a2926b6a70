namespace Lekhika.Workflows.Expressions;

/// <content>Calls: macros and functions.</content>
internal sealed partial class CelCompiler
{
    private CelNode Call(CallSyntax call)
    {
        if (options.Macros && Macro(call) is { } expanded)
            return expanded;
        if (call.Target is null)
            return Function(call, call.Name, CelFunctions.FindGlobal(call.Name), []);
        if (NamespaceOf(call.Target) is { } prefix && CelFunctions.FindGlobal($"{prefix}.{call.Name}") is { } qualified)
            return Function(call, qualified.Name, qualified, []);
        return Function(call, call.Name, CelFunctions.FindMethod(call.Name), [call.Target]);
    }

    private string? NamespaceOf(CelSyntax target) =>
        target is NameSyntax { Rooted: false } name && FindSlot(name.Name) is null ? name.Name : null;

    private CelNode Function(CallSyntax call, string name, CelFunction? function, CelSyntax[] receiver)
    {
        var shown = receiver.Length > 0 ? $".{name}" : name;
        if (function is null)
        {
            var problem = UnknownFunction(call, shown);
            return options.CheckFunctions ? throw Error(call.Position, problem) : new FailingNode(call.Position, problem);
        }

        var count = receiver.Length + call.Args.Count;
        if (count < function.MinArgs || count > function.MaxArgs)
        {
            var (min, max) = (function.MinArgs - receiver.Length, function.MaxArgs - receiver.Length);
            var takes = min == max ? $"{min}" : max > 100 ? $"{min} or more" : $"{min} to {max}";
            var problem = $"no such overload: {shown} takes {takes} argument{(takes == "1" ? "" : "s")}, found {call.Args.Count}";
            return options.CheckFunctions ? throw Error(call.Position, problem) : new FailingNode(call.Position, problem);
        }

        var args = All([.. receiver, .. call.Args]);
        return function.Name == CelFunctions.Matches ? new MatchesNode(call.Position, args[0], args[1]) : new CallNode(call.Position, function, args);
    }

    private static string UnknownFunction(CallSyntax call, string shown)
    {
        var isMethod = call.Target is not null;
        if (isMethod ? CelFunctions.FindGlobal(call.Name) is not null : CelFunctions.FindMethod(call.Name) is not null)
            return $"unbound function: '{shown}' is called {(isMethod ? $"as {call.Name}(x)" : $"on a value, x.{call.Name}(…)")}";
        var closest = Identifiers.Closest(call.Name, CelFunctions.Names(isMethod));
        var hint = call.Name switch
        {
            "length" or "len" or "count" => "; use size(x)",
            "toLowerCase" or "toLower" or "lower" => "; use lowerAscii()",
            "toUpperCase" or "toUpper" or "upper" => "; use upperAscii()",
            "includes" => "; use contains(…) or 'in'",
            "slice" when !isMethod => "; use x.slice(from, to)",
            _ => closest is null ? "" : $"; did you mean '{closest}'?",
        };
        return $"unbound function: there is no function '{shown}'{hint}";
    }

    private CelNode? Macro(CallSyntax call)
    {
        if (call.Target is null)
            return call.Name == "has" ? Has(call) : null;
        if (call is { Name: "bind", Args.Count: 3, Target: NameSyntax { Name: "cel" } })
            return Bind(call);
        var args = call.Args;
        return (call.Name, args.Count) switch
        {
            ("all", 2) => Visit(call, Comprehension.All, 1, args[1], null),
            ("all", 3) => Visit(call, Comprehension.All, 2, args[2], null),
            ("exists", 2) => Visit(call, Comprehension.Exists, 1, args[1], null),
            ("exists", 3) => Visit(call, Comprehension.Exists, 2, args[2], null),
            ("exists_one" or "existsOne", 2) => Visit(call, Comprehension.ExistsOne, 1, args[1], null),
            ("exists_one" or "existsOne", 3) => Visit(call, Comprehension.ExistsOne, 2, args[2], null),
            ("filter", 2) => Visit(call, Comprehension.Filter, 1, args[1], null),
            ("map", 2) => Visit(call, Comprehension.Map, 1, null, args[1]),
            ("map", 3) => Visit(call, Comprehension.Map, 1, args[1], args[2]),
            ("sortBy", 2) => Visit(call, Comprehension.SortBy, 1, null, args[1]),
            ("transformList", 3) => Visit(call, Comprehension.Map, 2, null, args[2]),
            ("transformList", 4) => Visit(call, Comprehension.Map, 2, args[2], args[3]),
            ("transformMap", 3) => Visit(call, Comprehension.TransformMap, 2, null, args[2]),
            ("transformMap", 4) => Visit(call, Comprehension.TransformMap, 2, args[2], args[3]),
            ("transformMapEntry", 3) => Visit(call, Comprehension.TransformMapEntry, 2, null, args[2]),
            ("transformMapEntry", 4) => Visit(call, Comprehension.TransformMapEntry, 2, args[2], args[3]),
            ("all" or "exists" or "exists_one" or "existsOne" or "filter" or "map" or "sortBy", _) when options.CheckFunctions =>
                throw Error(call.Position, $".{call.Name} takes a variable and an expression, as in list.{call.Name}(x, x > 1); found {args.Count} argument{(args.Count == 1 ? "" : "s")}"),
            _ => null,
        };
    }

    private CelNode Has(CallSyntax call) => call.Args is [SelectSyntax select]
        ? Access(select, isTested: true)
        : throw Error(call.Position, "has() takes the member that it asks for, as in has(inputs.topic); for other keys write 'key' in map");

    private BindNode Bind(CallSyntax call)
    {
        var name = Variable(call.Args[0]);
        var value = Compile(call.Args[1]);
        _scope.Add((name, SlotCount++));
        var body = Compile(call.Args[2]);
        var slot = _scope[^1].Slot;
        _scope.RemoveAt(_scope.Count - 1);
        return new BindNode(call.Position, slot, value, body);
    }

    private ComprehensionNode Visit(CallSyntax call, Comprehension kind, int variables, CelSyntax? predicate, CelSyntax? transform)
    {
        var range = Compile(call.Target!);
        var first = SlotCount;
        for (var i = 0; i < variables; i++)
        {
            var name = Variable(call.Args[i]);
            if (i == 1 && string.Equals(name, _scope[^1].Name, StringComparison.Ordinal))
                throw Error(call.Args[i].Position, $"the two variables of .{call.Name} have one name, '{name}'");
            _scope.Add((name, SlotCount++));
        }

        var test = predicate is null ? null : Compile(predicate);
        var result = transform is null ? null : Compile(transform);
        _scope.RemoveRange(_scope.Count - variables, variables);
        return new ComprehensionNode(call.Position, kind, range, first, variables == 2 ? first + 1 : -1, test, result);
    }

    private string Variable(CelSyntax syntax) => syntax is NameSyntax { Rooted: false } name
        ? name.Name
        : throw Error(syntax.Position, "expected the name of a variable here, such as x");
}
