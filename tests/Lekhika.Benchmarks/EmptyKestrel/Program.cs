var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
var app = builder.Build();
app.Run(static context => context.Response.WriteAsync("ok"));
app.Run(args[0]);
