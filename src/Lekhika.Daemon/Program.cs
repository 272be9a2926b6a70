Console.WriteLine("lekhika-daemon");
