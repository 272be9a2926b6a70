using Lekhika.Doubles;

if (args.Contains("--help", StringComparer.Ordinal) || args.Contains("-h", StringComparer.Ordinal))
{
    Console.WriteLine(CommandLine.Usage);
    return 0;
}
try
{
    var options = CommandLine.Read(args, Environment.GetEnvironmentVariable);
    await using var ollama = await OllamaDouble.StartAsync(options);
    Console.WriteLine($"ollama-double listening on {ollama.BaseAddress.ToString().TrimEnd('/')}");
    await ollama.WaitForShutdownAsync();
    return 0;
}
catch (Exception error) when (error is FormatException or IOException or ApiException)
{
    Console.Error.WriteLine($"ollama-double: {error.Message}");
    return 78;
}
