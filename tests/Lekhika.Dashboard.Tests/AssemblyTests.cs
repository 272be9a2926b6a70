using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Xunit;

[assembly: CollectionBehavior(MaxParallelThreads = 2)]
[assembly: AssemblyFixture(typeof(Servers))]
[assembly: AssemblyFixture(typeof(Chromium))]
