var app = WebApplication.CreateSlimBuilder(args).Build();
app.MapGet("/", () => "Ollama is running");
await app.RunAsync();
